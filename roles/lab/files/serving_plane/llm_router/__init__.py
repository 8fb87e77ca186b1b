# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The LLM Router v1: its controller, and the Triton server whose classifiers choose a class of a policy."""
