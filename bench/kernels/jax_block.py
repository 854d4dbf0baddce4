"""Peer of `xinghe-kernel infer`: the same transformer block in JAX, compiled by XLA, on one core.

usage: jax_block.py B T D REPEATS; prints the seconds of the best pass over all sequences, after one to warm up
"""

import os
import sys
import time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

B, T, D, REPEATS = map(int, sys.argv[1:5])
HEADS = max(1, D // 64) if D % 64 == 0 else 1


def normalised(x):
    x = x - x.mean(-1, keepdims=True)
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5)


def gelu(x):
    return x * jax.nn.sigmoid(1.702 * x)


@jax.jit
def block(x, query, key, value, out, up, down):
    n = normalised(x)
    q, k, v = [(n @ w).reshape(B, T, HEADS, D // HEADS) for w in (query, key, value)]
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) / jnp.sqrt(jnp.float32(D // HEADS))
    scores = jnp.where(jnp.tril(jnp.ones((T, T), bool)), scores, -jnp.inf)
    mixed = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores, -1), v).reshape(B, T, D)
    x = x + mixed @ out
    return x + gelu(normalised(x) @ up) @ down


def main():
    keys = jax.random.split(jax.random.key(1), 7)
    shapes = [(B, T, D), (D, D), (D, D), (D, D), (D, D), (D, 4 * D), (4 * D, D)]
    values = [jax.random.normal(k, s, jnp.float32) * (1 if i == 0 else D ** -0.5)
              for i, (k, s) in enumerate(zip(keys, shapes))]
    block(*values).block_until_ready()
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        block(*values).block_until_ready()
        best = min(best, time.perf_counter() - start)
    print(best)


main()
