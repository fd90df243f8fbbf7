"""Models whose forward and backward passes the tests and benchmarks/inductor.py compile.

Each entry of `MODELS` makes a module and its input for a size, from the default generator. A
module's output is a tensor, or a loss where it is a scalar.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

Made = tuple[nn.Module, torch.Tensor]


class MLP(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x + self.down(F.gelu(self.up(x))))


class Block(nn.Module):
    """A causal transformer block; attention is written out unless `fused`."""

    def __init__(self, width: int, heads: int, fused: bool) -> None:
        super().__init__()
        self.heads, self.fused = heads, fused
        self.inputs, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def attention(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        if self.fused:
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        length, depth = q.shape[-2:]
        scores = q @ k.transpose(-1, -2) * depth**-0.5
        future = torch.ones(length, length, dtype=torch.bool, device=q.device).triu(1)
        return scores.masked_fill(future, float("-inf")).softmax(-1) @ v

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        joined = self.inputs(self.norms[0](x))
        q, k, v = joined.view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = self.attention(q, k, v).transpose(1, 2).reshape(batch, length, width)
        x = x + self.output(mixed)
        return x + self.down(F.gelu(self.up(self.norms[1](x)), approximate="tanh"))


class ConvNet(nn.Module):
    """Convolutions with batch norm in training mode, maximum and average pooling."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, 2 * channels, 3, stride=2)
        self.norms = nn.ModuleList([nn.BatchNorm2d(channels), nn.BatchNorm2d(2 * channels)])
        self.head = nn.Linear(2 * channels, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.norms[0](self.first(x))), 2)
        x = F.avg_pool2d(F.relu(self.norms[1](self.second(x))), 2)
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Recurrent(nn.Module):
    """An LSTM cell over the steps of a sequence."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.cell, self.hidden = nn.LSTMCell(width, hidden), hidden

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = c = x.new_zeros(x.shape[1], self.hidden)
        for step in x:
            h, c = self.cell(step, (h, c))
        return h


class Language(nn.Module):
    """An embedding and the cross entropy of predicting each next token from the one before."""

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(words, width), nn.Linear(width, words)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        logits = self.head(self.embedding(tokens[:, :-1]))
        return F.cross_entropy(logits.flatten(0, 1).float(), tokens[:, 1:].flatten())


def _mlp(size: int) -> Made:
    return MLP(8 * size), torch.randn(2 * size, 8 * size)


def _block(size: int, fused: bool) -> Made:
    return Block(8 * size, size // 2, fused), torch.randn(2, 3 * size, 8 * size)


def _convnet(size: int) -> Made:
    return ConvNet(size), torch.randn(4, 3, 2 * size, 2 * size)


def _recurrent(size: int) -> Made:
    return Recurrent(4 * size, 6 * size), torch.randn(3, size, 4 * size)


def _language(size: int) -> Made:
    return Language(13 * size, 4 * size), torch.randint(13 * size, (4, 2 * size + 1))


MODELS: dict[str, Callable[[int], Made]] = {
    "mlp": _mlp,
    "block": lambda size: _block(size, fused=False),
    "block_sdpa": lambda size: _block(size, fused=True),
    "convnet": _convnet,
    "lstm": _recurrent,
    "language": _language,
}


def make(name: str, size: int, dtype: torch.dtype = torch.float32) -> Made:
    """The model and its input, the same each time; floating-point numbers are of `dtype`."""
    torch.manual_seed(0)
    model, x = MODELS[name](size)
    return model.to(dtype), x.to(dtype) if x.is_floating_point() else x


def loss_of(output: torch.Tensor) -> torch.Tensor:
    """A scalar whose gradient differs for each element of the output."""
    if output.dim() == 0:
        return output
    weights = torch.linspace(-1, 1, output.numel(), dtype=torch.float32).to(output.dtype)
    return (output.flatten() * weights).float().sum()


Results = dict[str, torch.Tensor]


def run(model: nn.Module, call: Callable[..., torch.Tensor], x: torch.Tensor) -> Results:
    """The output of `call(x)`, each parameter's gradient and the buffers, by name, as fp64."""
    model.zero_grad()
    x = x.detach().clone().requires_grad_(x.is_floating_point())
    output = call(x)
    loss_of(output).backward()
    found = {"output": output.detach()}
    found |= {f"gradient of {name}": p.grad for name, p in model.named_parameters()}
    found |= {f"buffer {name}": b.clone() for name, b in model.named_buffers()}
    if x.grad is not None:
        found["gradient of the input"] = x.grad
    return {name: value.double() for name, value in found.items()}


def worst_error(got: Results, eager: Results, exact: Results, dtype: torch.dtype) -> float:
    """The largest error, in units of what is allowed: at most 1 is right.

    Both ways round each operation of `dtype`, in another order: neither is the right one. The
    measure is the same model in fp64. Per tensor, in the maximum norm, allowed is three times the
    error that eager itself makes (which stands for the depth of the computation: sums of other
    orders have errors of the same distribution, and the worst of a few hundred draws varies within
    that factor) plus four units in the last place of the tensor's largest element (where eager
    happens to be exact, such as for a bias added last).
    """
    worst = 0.0
    assert got.keys() == eager.keys() == exact.keys()
    for name, value in exact.items():
        scale = value.abs().max()
        own = (eager[name] - value).abs().max()
        error = (got[name] - value).abs().max()
        allowed = 3 * own + 4 * torch.finfo(dtype).eps * scale
        assert not torch.isnan(got[name]).any(), f"{name} is NaN"
        worst = max(worst, float(error / allowed) if error > 0 else 0.0)
    return worst
