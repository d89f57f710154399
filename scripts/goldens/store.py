"""Writes goldens: fp32 and int32 tensors in safetensors files, attributes in JSON."""

import json
import zlib
from pathlib import Path

import torch
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parents[2] / "tests" / "fixtures" / "goldens"


def random(name):
    """A generator seeded by name, so that a new case never changes an old one."""
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


def normal(generator, *shape, scale=1.0):
    """fp32 normal numbers, as fp64: the exact values that the fp32 files hold."""
    return (torch.randn(*shape, generator=generator, dtype=torch.float64) * scale).float().double()


def integers(generator, high, *shape):
    """int32 numbers in [0, high)."""
    return torch.randint(0, high, shape, generator=generator, dtype=torch.int32)


def stored(tensor):
    """Truth is computed in fp64 and stored in fp32; ids stay int32."""
    tensor = tensor.detach()
    return tensor.contiguous() if tensor.dtype == torch.int32 else tensor.float().contiguous()


def write_tensors(path, tensors):
    """Writes one safetensors file below the goldens' folder."""
    file = ROOT / path
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: stored(tensor).clone() for name, tensor in sorted(tensors.items())}, file)
    file.chmod(0o644)


def write_json(path, value):
    """Writes one JSON file below the goldens' folder."""
    (ROOT / path).write_text(json.dumps(value, indent=2) + "\n")


class OperatorCases:
    """Collects cases of the operators of native/include/lethe/ops.h by their field names."""

    def __init__(self):
        self.cases = []
        self.tensors = {}

    def add(self, operator, name, *, dims, inputs, outputs, attributes=None):
        """Inputs hold what `in`, `acc` and `inout` fields hold before; outputs what they and `out` fields hold after."""
        tensors = self.tensors.setdefault(operator, {})
        for direction, fields in (("in", inputs), ("out", outputs)):
            for field, tensor in fields.items():
                tensors[f"{name}/{direction}/{field}"] = tensor
        self.cases.append(
            {
                "operator": operator,
                "name": name,
                "file": f"operators/{operator}.safetensors",
                "dims": dims,
                "attributes": attributes or {},
                "inputs": list(inputs),
                "outputs": list(outputs),
            }
        )

    def write(self):
        """Writes operators.json and a safetensors file per operator."""
        for operator, tensors in self.tensors.items():
            write_tensors(f"operators/{operator}.safetensors", tensors)
        write_json("operators.json", self.cases)
