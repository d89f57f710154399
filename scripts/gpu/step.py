"""A whole step of unlearning of the paper's 2B model: tokens/s, MFU against a measured product, memory."""

import json
import subprocess
import sys

import torch

from lethe_cuda import Rows, arguments, gemm_tflops

GOAL, STRETCH = 0.50, 0.55


def main():
    parser = arguments(__doc__)
    parser.add_argument('--program', required=True)
    options = parser.parse_args()
    rows = Rows(options.rows)
    tflops = gemm_tflops()
    name = torch.cuda.get_device_name()
    # Dense bf16 as NVIDIA states it, by which MFU is usually given; the measured product stands beside it.
    nominal = 989 if 'H100' in name or 'H200' in name else 312 if 'A100' in name else None
    torch.cuda.empty_cache()
    sequences = '1' if options.quick else '4'
    result = subprocess.run([options.program, 'time', '--sequences', sequences], capture_output=True, text=True, check=False)
    print(result.stdout, result.stderr)
    if result.returncode != 0:
        sys.exit(result.returncode)
    steps = [json.loads(line) for line in result.stdout.splitlines() if line.startswith('{')]
    middle = sorted(steps, key=lambda step: step['seconds'])[len(steps) // 2]
    used = torch.cuda.mem_get_info()
    rows.add('step through C', f"{middle['parameters'] / 1e9:.2f}B {middle['tokens']} tokens", 'lethe',
             middle['seconds'] * 1e3, middle['tokens'] / middle['seconds'], 'tokens/s', middle['tflops'] / tflops,
             middle['live_bytes'] / 1e9)  # fmt: skip
    if nominal:
        rows.add('MFU', f'of {nominal} TFLOP/s', 'lethe', rate=middle['tflops'] / nominal, unit='share',
                 goal=f'{GOAL} (stretch {STRETCH})')  # fmt: skip
    print(f'{used[0] / 1e9:.1f} of {used[1] / 1e9:.1f} GB free after the program ended')


if __name__ == '__main__':
    main()
