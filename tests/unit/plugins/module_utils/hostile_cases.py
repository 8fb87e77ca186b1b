# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""All hostile inputs: {name: (builder, texts that the messages hold)}."""

from __future__ import annotations

import hostile_archives
import hostile_schemas
import hostile_templates
import hostile_values
from hostile_base import CASES

__all__ = ["CASES", "hostile_archives", "hostile_schemas", "hostile_templates", "hostile_values"]
