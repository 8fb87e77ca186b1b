# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Amounts of resources: Kubernetes quantities as whole thousandths, exact, so that sums and comparisons are too."""

from __future__ import annotations

import decimal
import functools
import re
import typing as t

# {resource: thousandths of a core, byte, device or pod}
Amounts = dict[str, int]
MILLI = 1000
_BINARY = {name: 1024 ** (index + 1) for index, name in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))}
# What kubernetes.utils takes and the API does not: K, NaN, 1_000, and numbers without end.
_QUANTITY = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3}|[KMGTPE]i|[numkMGTPE])?\Z")
# The API takes no larger numbers (apimachinery, resource.Quantity: 2^63-1 thousandths and up are capped).
_LONGEST = 64
_EXACT = decimal.Context(prec=200)


@functools.lru_cache(maxsize=4096)
def _parse(text: str) -> int | None:
    if len(text) > _LONGEST or not _QUANTITY.match(text):
        return None
    from kubernetes.utils.quantity import parse_quantity  # with it comes the whole client

    with decimal.localcontext(_EXACT):
        return int((parse_quantity(text) * MILLI).to_integral_value(decimal.ROUND_CEILING))


def parse(value: t.Any) -> int | None:
    """Return a quantity (500m, 2Gi, 1e3, 8) in thousandths, rounded up as the API does; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return _parse(str(value).strip())


def amount(value: t.Any) -> int:
    """Return a quantity in thousandths, 0 where it cannot be read."""
    return parse(value) or 0


def amounts(value: t.Any) -> Amounts:
    """Return a map of quantities ({cpu: 500m}) in thousandths, without what cannot be read."""
    if not isinstance(value, dict):
        return {}
    found = {str(name): parse(entry) for name, entry in value.items()}
    return {name: number for name, number in found.items() if number is not None}


def is_bytes(name: str) -> bool:
    """Return whether a resource (memory, requests.storage, hugepages-2Mi) is counted in bytes."""
    last = name.rpartition("/")[2].rpartition(".")[2]
    return last in ("memory", "storage", "ephemeral-storage") or last.startswith("hugepages-")


def exact(name: str, number: int) -> str:
    """Return thousandths as a quantity that parses to the same number: 500m, 2Gi, 8."""
    if number % MILLI:
        return f"{number}m"
    whole = number // MILLI
    if whole and is_bytes(name):
        for suffix, size in reversed(_BINARY.items()):
            if whole % size == 0:
                return f"{whole // size}{suffix}"
    return str(whole)


def shown(name: str, number: int) -> str:
    """Return thousandths for a reader, bytes rounded down to a tenth of their largest unit: 251.4Gi."""
    if not is_bytes(name) or abs(number) < _BINARY["Ki"] * MILLI:
        return exact(name, number) if number % MILLI == 0 or name.endswith("cpu") else f"{number / MILLI:.15g}"
    suffix, size = next(entry for entry in reversed(_BINARY.items()) if abs(number) >= entry[1] * MILLI)
    tenths = abs(number) * 10 // (size * MILLI)
    text = f"{tenths // 10}.{tenths % 10}".removesuffix(".0")
    return f"{'-' if number < 0 else ''}{text}{suffix}"


def added(one: t.Mapping[str, int], other: t.Mapping[str, int], times: int = 1) -> Amounts:
    """Return one + times x other."""
    total = dict(one)
    for name, number in other.items():
        total[name] = total.get(name, 0) + times * number
    return total


def larger(one: t.Mapping[str, int], other: t.Mapping[str, int]) -> Amounts:
    """Return the larger amount of each resource."""
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {**one, **other}}


def written(wanted: t.Mapping[str, int]) -> str:
    """Return amounts for a message, devices first: '8 nvidia.com/gpu, 4 cpu, 64Gi memory'."""
    order = sorted(wanted, key=lambda name: ("/" not in name, name))
    return ", ".join(f"{shown(name, wanted[name])} {name}" for name in order) or "nothing"
