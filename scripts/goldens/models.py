"""Goldens of whole models: Hugging Face folders of tiny random models, their logits, and one layer's gradients.

The computation is transformers' own, in fp64, with rotary angles in fp64 too (transformers computes them in fp32).
"""

import shutil

import torch
from store import ROOT, integers, normal, random, write_tensors
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

SMALL = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "tie_word_embeddings": False,
}
SMALLER = {**SMALL, "vocab_size": 41, "hidden_size": 16, "intermediate_size": 24, "tie_word_embeddings": True}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
MODELS = {
    "llama": (LlamaForCausalLM, LlamaConfig(**SMALL)),
    "llama-tied": (LlamaForCausalLM, LlamaConfig(**{**SMALL, "tie_word_embeddings": True})),
    "llama3-rope": (LlamaForCausalLM, LlamaConfig(**SMALLER, rope_parameters=LLAMA3)),
    "llama-linear-rope": (
        LlamaForCausalLM,
        LlamaConfig(**SMALLER, rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}),
    ),
    "llama-dynamic-rope": (
        LlamaForCausalLM,
        LlamaConfig(
            **{**SMALLER, "max_position_embeddings": 16},
            rope_parameters={"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0},
        ),
    ),
    "llama-head-dim": (LlamaForCausalLM, LlamaConfig(**SMALLER, head_dim=6)),
    "llama-biases": (LlamaForCausalLM, LlamaConfig(**SMALLER, attention_bias=True, mlp_bias=True)),
    "mistral-window": (MistralForCausalLM, MistralConfig(**SMALLER, sliding_window=5)),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**SMALLER)),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(**{**SMALLER, "head_dim": 6})),
}


class Rotary64(torch.nn.Module):
    """Rotary embedding with fp64 angles; the frequencies are derived again from the config."""

    def __init__(self, config):
        super().__init__()
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self.parameters_of_rope, self.head_dim = config.rope_parameters, head_dim
        self.most = config.max_position_embeddings

    def forward(self, x, position_ids):
        beyond = (position_ids.max().item() + 1) / self.most
        angles = position_ids[..., None].double() * frequencies(self.parameters_of_rope, self.head_dim, beyond)
        angles = torch.cat([angles, angles], -1)
        return angles.cos(), angles.sin()


def frequencies(parameters, head_dim, beyond):
    """`beyond`: the sequence's length as a multiple of the model's own."""
    if parameters["rope_type"] == "dynamic":
        stretch = parameters["factor"] * max(beyond, 1) - (parameters["factor"] - 1)
        theta = parameters["rope_theta"] * stretch ** (head_dim / (head_dim - 2))
        return theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
    plain = parameters["rope_theta"] ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
    if parameters["rope_type"] == "linear":
        return plain / parameters["factor"]
    if parameters["rope_type"] == "default":
        return plain
    low, high, factor = (parameters[key] for key in ("low_freq_factor", "high_freq_factor", "factor"))
    turns = parameters["original_max_position_embeddings"] * plain / (2 * torch.pi)
    smooth = ((turns - low) / (high - low)).clamp(0, 1)
    return (1 - smooth) * plain / factor + smooth * plain


def in_fp64(model):
    """The model in fp64, rotary angles included."""
    model = model.double().eval()
    model.model.rotary_emb = Rotary64(model.config)
    return model


def randomise(model, name):
    """Weights large enough that every part matters: matrices of deviation 1/sqrt(inputs), norms around 1."""
    g = random(f"model {name}")
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.copy_(1 + normal(g, *parameter.shape, scale=0.2))
            else:
                parameter.copy_(normal(g, *parameter.shape, scale=parameter.shape[1] ** -0.5))
        model.model.embed_tokens.weight.mul_(3)
    return model


def make(name):
    """A model of the list above, with its random weights, in fp32."""
    kind, config = MODELS[name]
    return randomise(kind._from_config(config, attn_implementation="eager", dtype=torch.float32), name)


def save(model, name):
    """Writes the Hugging Face folder of a model below the goldens' folder."""
    folder = ROOT / "models" / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    for file in folder.iterdir():
        file.chmod(0o644)


def layer_golden():
    """One decoder layer, forward and backward, on random hidden states."""
    model = in_fp64(make("llama"))
    layer = model.model.layers[0]
    B, T, D = 2, 9, model.config.hidden_size
    g = random("layer")
    x, dy = normal(g, B, T, D).requires_grad_(), normal(g, B, T, D)
    positions = torch.arange(T)[None]
    mask = torch.full((T, T), float("-inf"), dtype=torch.float64).triu(1)[None, None]
    y = layer(x, attention_mask=mask, position_embeddings=model.model.rotary_emb(x, positions), position_ids=positions)
    y.backward(dy)
    tensors = {"in/x": x, "in/dy": dy, "out/y": y, "out/dx": x.grad}
    for name, parameter in layer.named_parameters():
        tensors[f"weight/{name}"] = parameter
        tensors[f"grad/{name}"] = parameter.grad
    write_tensors("layer.safetensors", tensors)


def logits_golden(name):
    """The model's folder, token ids [2,16], their logits [2,16,V], and a greedy continuation of the first row. Dynamic
    RoPE is read beyond its length: ids [2,24], and no continuation, whose frequencies would change at every token."""
    model = make(name)
    save(model, name)
    g = random(f"ids {name}")
    is_dynamic = model.config.rope_parameters["rope_type"] == "dynamic"
    ids = integers(g, model.config.vocab_size, 2, 24 if is_dynamic else 16)
    fp32 = model(ids.long()).logits.double()
    model = in_fp64(model)
    logits = model(ids.long()).logits
    difference = ((fp32 - logits).abs().max() / logits.abs().max()).item()
    assert difference < 1e-5, f"{name}: fp32 differs by {difference}"
    tensors = {"ids": ids, "logits": logits}
    if not is_dynamic:
        continued = ids[:1, :4].long()
        for _ in range(64):
            continued = torch.cat([continued, model(continued).logits[:, -1].argmax(-1, keepdim=True)], 1)
        tensors |= {"prompt": ids[0, :4], "greedy": continued[0].int()}
    write_tensors(f"models/{name}.safetensors", tensors)


@torch.no_grad()
def logits_goldens():
    for name in MODELS:
        logits_golden(name)


def write():
    """Writes every golden of this file."""
    layer_golden()
    logits_goldens()
