"""Times whole unlearning steps in PyTorch: python torch_step.py SIZE MODE THREADS STEPS. Prints one JSON line.

MODE: eager-fp32 (as installed), eager-fp32-onednn, compiled-fp32, compiled-fp32-onednn, eager-bf16, compiled-bf16, each
also with -cached (the original's final hidden states are given, its head runs). The model is a lean
Llama (fused scaled_dot_product_attention, no Hugging Face overhead); the loss is the naive one: log-softmax,
cross-entropy, KL, -log(1 - p). AdamW is torch's own, foreach.
"""

import json
import resource
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

size, mode, threads, num_steps = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
s = json.loads((Path(__file__).parent / "sizes.json").read_text())[size]
D, L, FF, H, V, T, B = (s[k] for k in ("hidden", "layers", "ffn", "heads", "vocab", "length", "rows"))
torch.manual_seed(1)
torch.set_num_threads(threads)
if "onednn" in mode:
    torch.set_float32_matmul_precision("medium")
bf16, cached = "bf16" in mode, mode.endswith("cached")

angles = torch.arange(T)[:, None] / 10000 ** (torch.arange(0, D // H, 2) / (D // H))
COS, SIN = angles.cos(), angles.sin()


def rope(x):
    a, b = x.chunk(2, -1)
    return torch.cat([a * COS - b * SIN, b * COS + a * SIN], -1).to(x.dtype)


class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        linear = lambda i, o: torch.nn.Linear(i, o, bias=False)
        self.qkv, self.o, self.gate_up, self.down = linear(D, 3 * D), linear(D, D), linear(D, 2 * FF), linear(FF, D)
        self.n1, self.n2 = torch.nn.RMSNorm(D, 1e-5), torch.nn.RMSNorm(D, 1e-5)

    def forward(self, x):
        q, k, v = self.qkv(self.n1(x)).view(x.shape[0], T, 3, H, D // H).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(rope(q), rope(k), v, is_causal=True)
        x = x + self.o(y.transpose(1, 2).reshape(x.shape))
        gate, up = self.gate_up(self.n2(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Llama(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(V, D)
        self.layers = torch.nn.ModuleList(Layer() for _ in range(L))
        self.norm, self.head = torch.nn.RMSNorm(D, 1e-5), torch.nn.Linear(D, V, bias=False)
        for p in self.parameters():
            if p.dim() > 1:
                torch.nn.init.normal_(p, std=0.02)

    def hidden(self, ids):
        x = self.embed(ids)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


def loss_of(model, original, ids, targets, states):
    logits = model.head(model.hidden(ids)).float().log_softmax(-1)
    with torch.no_grad():
        states = original.hidden(ids[B:]) if states is None else states
        teacher = original.head(states).float().log_softmax(-1)
    logp = logits.gather(-1, targets[..., None]).squeeze(-1)
    forgetting = -torch.log1p(-logp[:B].exp().clamp(max=1 - 1e-6)).mean()
    kl = (teacher.exp() * (teacher - logits[B:])).sum(-1).mean()
    return 0.01 * forgetting - logp[B:].mean() + kl


model, original = Llama(), Llama()
original.load_state_dict(model.state_dict())
original.requires_grad_(False)
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.01)
compute = torch.compile(loss_of) if mode.startswith("compiled") else loss_of
seconds = []
for step in range(num_steps + 2):
    ids, targets = torch.randint(V, (2 * B, T)), torch.randint(V, (2 * B, T))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        states = original.hidden(ids[B:]) if cached else None
    started = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = compute(model, original, ids, targets, states)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    if step >= 2:
        seconds.append(time.perf_counter() - started)
seconds.sort()
median = seconds[len(seconds) // 2]
rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"who": f"torch {mode}", "size": size, "threads": threads, "median": median, "tokensPerSecond": 2 * B * T / median, "rssMb": rss}))
