# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""LLM-Orchestrator's servers, by the interface of its deployment guide: no server of it is published."""
