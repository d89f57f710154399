"""Goldens of unlearning a tiny Llama: the losses and gradients of one step, and ten AdamW steps, all in fp64.

L = w_forgetting mean(-log(1 - p)) + w_replay mean(-log p) + w_mitigation mean KL(p_original || p), each mean over the
valid targets of its stream. Gradients are clipped to a global norm of 1. AdamW decays all parameters in one
curve, and matrices only in another.
"""

import torch
from models import in_fp64, make, save
from store import integers, normal, random, write_json, write_tensors
from unlearn_head import forgetting, row_losses

STEPS, B, T = 10, 2, 12
WEIGHTS = {"forgetting": 0.01, "replay": 1.0, "mitigation": 1.0}
OPTIMIZER = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01}
CLIP_NORM = 1.0


def original_model():
    """The frozen original: the model before some made-up training that moved every weight, so that KL is not 0."""
    model = make("llama")
    g = random("original")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(normal(g, *parameter.shape, scale=0.05))
    return model


def batches(V):
    """Ids and next-token targets of each step [steps, B, T]; -1 ends each row and pads some replay rows."""
    tensors = {}
    for stream in ("forget", "replay"):
        ids = integers(random(f"unlearning {stream}"), V, STEPS, B, T)
        targets = torch.full_like(ids, -1)
        targets[..., :-1] = ids[..., 1:]
        if stream == "replay":
            targets[:, 1, 8:] = -1
        tensors |= {f"{stream}_ids": ids, f"{stream}_targets": targets}
    return tensors


def loss_terms(model, original, batch, step):
    """Forgetting, replay and mitigation of one batch."""
    rows = {}
    for stream in ("forget", "replay"):
        ids = batch[f"{stream}_ids"][step].long()
        targets = batch[f"{stream}_targets"][step].reshape(-1)
        valid = targets >= 0
        logits = model(ids).logits.flatten(0, 1)[valid]
        with torch.no_grad():
            original_logits = original(ids).logits.flatten(0, 1)[valid] if stream == "replay" else None
        rows[stream] = row_losses(logits, targets[valid], original_logits)
    nll, p, _ = rows["forget"]
    return {
        "forgetting": forgetting("complement", p, nll)[0].mean(),
        "replay": rows["replay"][0].mean(),
        "mitigation": rows["replay"][2].mean(),
    }


def total_loss(terms):
    return sum(WEIGHTS[name] * term for name, term in terms.items())


def parameter_groups(model, decayed):
    """Weight decay of all parameters, or of the matrices only (none on the norms' weights)."""
    groups = {True: [], False: []}
    for parameter in model.parameters():
        groups[decayed == "all" or parameter.dim() > 1].append(parameter)
    decay = {True: OPTIMIZER["weight_decay"], False: 0.0}
    return [{"params": params, "weight_decay": decay[key]} for key, params in groups.items() if params]


def unlearn(original, batch, decayed):
    """Ten steps from the model of models/llama: the curve, the first step's gradients and the final weights."""
    model = in_fp64(make("llama"))
    optimizer = torch.optim.AdamW(
        parameter_groups(model, decayed),
        lr=OPTIMIZER["lr"],
        betas=(OPTIMIZER["beta1"], OPTIMIZER["beta2"]),
        eps=OPTIMIZER["epsilon"],
    )
    curve, gradients = [], {}
    for step in range(STEPS):
        optimizer.zero_grad()
        terms = loss_terms(model, original, batch, step)
        total = total_loss(terms)
        total.backward()
        if step == 0:
            gradients = {name: p.grad.clone() for name, p in model.named_parameters()}
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        losses = {name: term.item() for name, term in {"total": total, **terms}.items()}
        curve.append({"step": step, **losses, "gradient_norm": norm.item()})
        optimizer.step()
    return curve, gradients, dict(model.named_parameters())


def write():
    """Writes every golden of this file."""
    original = original_model()
    save(original, "llama-original")
    original = in_fp64(original)
    tensors = batches(original.config.vocab_size)
    curves = {}
    for decayed in ("all", "matrices"):
        curves[decayed], gradients, final = unlearn(original, tensors, decayed)
        tensors |= {f"final_{decayed}/{name}": p for name, p in final.items()}
    tensors |= {f"grad/{name}": gradient for name, gradient in gradients.items()}
    write_tensors("unlearning.safetensors", tensors)
    write_json(
        "unlearning.json",
        {
            "model": "models/llama",
            "original": "models/llama-original",
            "tensors": "unlearning.safetensors",
            "precision": "fp64",
            "weights": WEIGHTS,
            "optimizer": {**OPTIMIZER, "clip_norm": CLIP_NORM},
            "steps_by_decayed_parameters": curves,
        },
    )
