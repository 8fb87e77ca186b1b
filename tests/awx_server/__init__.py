# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A server that speaks the part of AWX's API that awx.awx's modules use, with AWX's fields, types and refusals."""
