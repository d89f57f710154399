"""Goldens of attention: softmax over an explicit mask in fp64, gradients by autograd."""

import torch
from store import normal, random


def plain_attention(q, k, v, first, last, scale):
    """q [B,T,H,D], k and v [B,S,K,D]; query t sees keys first[b,t] .. last[b,t]. Returns y [B,T,H,D], lse [B,H,T]."""
    group = q.shape[2] // k.shape[2]
    k, v = k.repeat_interleave(group, 2), v.repeat_interleave(group, 2)
    scores = scale * torch.einsum("bthd,bshd->bhts", q, k)
    key = torch.arange(k.shape[1])
    visible = ((key >= first[..., None]) & (key <= last[..., None]))[:, None]
    sees_any = visible.any(-1, keepdim=True)
    # Rows that see nothing take part as zeros, so that no NaN reaches the gradients.
    weights = torch.softmax(scores.masked_fill(~visible & sees_any, float("-inf")), -1) * sees_any
    lse = torch.logsumexp(scores.masked_fill(~visible, float("-inf")).detach(), -1)
    return torch.einsum("bhts,bshd->bthd", weights, v), lse


def ranges(name, B, T, S):
    """first and last [B,T] of a named mask."""
    t = torch.arange(T).expand(B, T).clone()
    if name == "documents":  # boundaries differ by sequence; the second sequence is one document
        starts = torch.tensor([[0, 0, 0, 3, 3, 5, 5, 5, 5], [0] * 9])
        return starts, t
    if name == "window":
        return (t - 3).clamp(min=0), t
    if name == "cached":  # the last T of S positions, as when generating
        return torch.zeros(B, T, dtype=torch.long), t + S - T
    if name == "empty-rows":  # padding rows see nothing
        last = t.clone()
        last[:, -2:] = -1
        return torch.zeros(B, T, dtype=torch.long), last
    return torch.zeros(B, T, dtype=torch.long), t


CASES = {
    # name: B, T, S, H, K, D, scale of q
    "causal": (2, 6, 6, 2, 2, 4, 1),
    "documents": (2, 9, 9, 4, 2, 8, 1),
    "window": (1, 12, 12, 4, 1, 6, 1),
    "cached": (2, 2, 11, 4, 2, 8, 1),
    "empty-rows": (1, 7, 7, 2, 1, 4, 1),
    "outliers": (1, 10, 10, 2, 2, 8, 20),
    "long": (1, 70, 70, 2, 1, 16, 1),
}


def add(cases):
    """Adds every case of this file."""
    for name, (B, T, S, H, K, D, q_scale) in CASES.items():
        g = random(f"attention {name}")
        q = normal(g, B, T, H, D, scale=q_scale).requires_grad_()
        k, v = normal(g, B, S, K, D).requires_grad_(), normal(g, B, S, K, D).requires_grad_()
        dy = normal(g, B, T, H, D)
        first, last = ranges(name, B, T, S)
        scale = D**-0.5
        y, lse = plain_attention(q, k, v, first, last, scale)
        y.backward(dy)
        inputs = {"q": q, "k": k, "v": v, "first": first.int(), "last": last.int()}
        dims = {"B": B, "T": T, "S": S, "H": H, "K": K, "D": D}
        attributes = {"scale": scale, "bf16": False}
        cases.add("attention", name, dims=dims, inputs=inputs, outputs={"y": y, "lse": lse}, attributes=attributes)
        cases.add(
            "attention_backward",
            name,
            dims=dims,
            inputs={**inputs, "y": y, "lse": lse, "dy": dy},
            outputs={"dq": q.grad, "dk": k.grad, "dv": v.grad},
            attributes=attributes,
        )
