"""Goldens of the forgetting losses beside the fused head (docs/math.md, section 3), in fp64, gradients by autograd.

Each is written as its paper has it, on probabilities and log-probabilities of PyTorch: nothing here knows the closed
forms of packages/losses/src/logit-forms.ts. Losses are sums over the forget rows, or over their sequences.
"""

import torch
from store import integers, normal, random, write_json, write_tensors

N, D, V = 14, 6, 19
IGNORED = [4]
# The first nine rows are to be forgotten, in three sequences.
SEQUENCE_OF = [0, 0, 0, 3, 3, 3, 3, 7, 7]


def complement_normalized(logits, targets, **_):
    p = torch.softmax(logits, -1).gather(1, targets[:, None])[:, 0]
    return -torch.log((1 - p) / (logits.shape[1] - 1)).sum()


def complement_softmax(logits, targets, **_):
    return torch.nn.functional.cross_entropy(1 - torch.softmax(logits, -1), targets, reduction="sum")


def tnpo(logits, targets, original, **_):
    b = 4
    logp = torch.log_softmax(logits, -1).gather(1, targets[:, None])[:, 0]
    before = torch.log_softmax(original, -1).gather(1, targets[:, None])[:, 0]
    p, p_original = logp.exp().detach(), before.exp()
    return (2 * p**b / (p**b + p_original**b) * logp).sum()


def ihl(logits, targets, **_):
    p = torch.softmax(logits, -1)
    own = p.gather(1, targets[:, None])[:, 0]
    others = p.scatter(1, targets[:, None], -1)
    return (1 + own - others.max(-1).values).sum()


def undial(logits, targets, original, **_):
    lowered = original - 10 * torch.nn.functional.one_hot(targets, original.shape[1])
    return torch.nn.functional.cross_entropy(logits, torch.softmax(lowered, -1), reduction="sum")


def by_sequence(values, of):
    return torch.stack([values[of == first].sum() for first in of.unique()])


def npo(logits, targets, original, of):
    b = 0.1
    nll = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    before = torch.nn.functional.cross_entropy(original, targets, reduction="none")
    return -(2 / b) * torch.nn.functional.logsigmoid(b * by_sequence(nll - before, of)).sum()


def simnpo(logits, targets, of, **_):
    b, d = 4.5, 0
    nll = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    lengths = by_sequence(torch.ones_like(nll), of)
    return -(2 / b) * torch.nn.functional.logsigmoid(b * (by_sequence(nll, of) / lengths - d)).sum()


METHODS = {
    "complement-normalized": complement_normalized,
    "complement-softmax": complement_softmax,
    "tnpo": tnpo,
    "npo": npo,
    "simnpo": simnpo,
    "ihl": ihl,
    "undial": undial,
}


def write():
    """Writes the inputs, and for each method the loss and both gradients."""
    g = random("forgetting beside")
    hidden, weight = normal(g, N, D), normal(g, V, D)
    F = len(SEQUENCE_OF)
    original_hidden, original_weight = normal(g, F, D), normal(g, V, D)
    targets = integers(g, V, N)
    # Rows that know their targets more or less: where p is tiny, most losses have nothing left to push.
    share = torch.linspace(1.0, 0, N, dtype=torch.float64)[:, None]
    hidden = (0.5 * hidden + share * weight[targets.long()]).float().double()
    for row in IGNORED:
        targets[row] = -1
    tensors = {
        "hidden": hidden,
        "weight": weight,
        "original_hidden": original_hidden,
        "original_weight": original_weight,
        "targets": targets,
    }
    kept = targets[:F] >= 0
    losses = {}
    for name, method in METHODS.items():
        h, w = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
        original = (original_hidden @ original_weight.T)[kept]
        logits = (h[:F] @ w.T)[kept]
        of = torch.tensor(SEQUENCE_OF)[kept]
        loss = method(logits, targets[:F][kept].long(), original=original, of=of)
        loss.backward()
        losses[name] = loss.item()
        tensors |= {f"{name}/dhidden": h.grad, f"{name}/dweight": w.grad}
    write_tensors("forgetting-beside.safetensors", tensors)
    write_json("forgetting-beside.json", {"sequence_of": SEQUENCE_OF, "losses": losses})
