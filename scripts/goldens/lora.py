"""Goldens of low-rank adapters: folders that peft writes, what peft computes with them, and unlearning with one, in fp64.

The original of the mitigation term is the base with the adapter off. Needs peft beside the packages of make.py.
"""

import shutil

import torch
from models import in_fp64, make
from peft import LoraConfig, get_peft_model
from store import ROOT, integers, normal, random, write_json, write_tensors
from unlearning import CLIP_NORM, OPTIMIZER, STEPS, WEIGHTS, batches, loss_terms, total_loss

ADAPTERS = {
    "lora": LoraConfig(
        r=3, lora_alpha=5, target_modules=["q_proj", "v_proj", "gate_proj", "down_proj"], task_type="CAUSAL_LM"
    ),
    "rslora": LoraConfig(
        r=4,
        lora_alpha=6,
        use_rslora=True,
        layers_to_transform=[1],
        target_modules=["k_proj", "o_proj", "up_proj"],
        task_type="CAUSAL_LM",
    ),
}


def adapted(name):
    """models/llama with an adapter whose matrices are random, both of them, so that every gradient is there."""
    model = get_peft_model(in_fp64(make("llama")), ADAPTERS[name])
    g = random(f"adapter {name}")
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.copy_(normal(g, *parameter.shape, scale=0.3 * parameter.shape[1] ** -0.5))
    return model


def save(model, name):
    """Writes the adapter's folder as peft does, in fp32, without what tells the machine that made it."""
    folder = ROOT / "adapters" / name
    shutil.rmtree(folder, ignore_errors=True)
    in_fp32 = get_peft_model(make("llama"), ADAPTERS[name])
    in_fp32.load_state_dict({key: value.float() for key, value in model.state_dict().items()}, strict=False)
    in_fp32.peft_config["default"].base_model_name_or_path = "models/llama"
    in_fp32.save_pretrained(folder)
    (folder / "README.md").unlink()
    for file in folder.iterdir():
        file.chmod(0o644)


@torch.no_grad()
def logits_golden(name):
    """Token ids [2,16], and their logits [2,16,V] with the adapter."""
    model = adapted(name)
    save(model, name)
    ids = integers(random(f"ids {name}"), model.config.vocab_size, 2, 16)
    write_tensors(f"adapters/{name}.safetensors", {"ids": ids, "logits": model(ids.long()).logits})


def parameters(model):
    """The matrices of the adapter by the names of Lethe's parameters."""
    names = {name: name.removeprefix("base_model.model.").replace(".default", "") for name, _ in model.named_parameters()}
    return {names[name]: p for name, p in model.named_parameters() if p.requires_grad}


def unlearn(model, batch):
    """Ten steps of AdamW over the adapter: the curve and the first step's gradients."""

    def original(ids):
        with model.disable_adapter():
            return model(ids)

    trained = parameters(model)
    optimizer = torch.optim.AdamW(
        trained.values(),
        lr=OPTIMIZER["lr"],
        betas=(OPTIMIZER["beta1"], OPTIMIZER["beta2"]),
        eps=OPTIMIZER["epsilon"],
        weight_decay=OPTIMIZER["weight_decay"],
    )
    curve, gradients = [], {}
    for step in range(STEPS):
        optimizer.zero_grad()
        terms = loss_terms(model, original, batch, step)
        total = total_loss(terms)
        total.backward()
        if step == 0:
            gradients = {f"grad/{name}": p.grad.clone() for name, p in trained.items()}
        norm = torch.nn.utils.clip_grad_norm_(trained.values(), CLIP_NORM)
        losses = {name: term.item() for name, term in {"total": total, **terms}.items()}
        curve.append({"step": step, **losses, "gradient_norm": norm.item()})
        optimizer.step()
    return curve, gradients | {f"final/{name}": p for name, p in trained.items()}


def write():
    """Writes every golden of this file; the batches are those of unlearning.safetensors."""
    for name in ADAPTERS:
        logits_golden(name)
    model = adapted("lora")
    curve, tensors = unlearn(model, batches(model.config.vocab_size))
    write_tensors("adapters/unlearning.safetensors", tensors)
    write_json("adapters/unlearning.json", curve)
