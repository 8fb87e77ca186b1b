# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""All hostile inputs: {name: (builder, texts that the messages hold)}."""

from __future__ import annotations

from values.hostile import archives, schemas, templates, values
from values.hostile.base import CASES

__all__ = ["CASES", "archives", "schemas", "templates", "values"]
