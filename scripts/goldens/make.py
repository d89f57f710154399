"""Makes every golden under tests/fixtures/goldens: python scripts/goldens/make.py

Needs torch, transformers, peft and safetensors. Run by hand when an operator or a case is added; never in CI.
"""

import attention
import forgetting_beside
import layer_operators
import lora
import models
import optimizer
import plain_operators
import torch
import unlearn_head
import unlearning
from store import OperatorCases


def main():
    torch.set_num_threads(1)
    cases = OperatorCases()
    for part in (layer_operators, attention, unlearn_head, optimizer, plain_operators):
        part.add(cases)
    cases.write()
    models.write()
    unlearning.write()
    forgetting_beside.write()
    lora.write()


if __name__ == "__main__":
    main()
