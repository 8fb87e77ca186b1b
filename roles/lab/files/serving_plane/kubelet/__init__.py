# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The kubelet's part that KWOK leaves out: what a pod's containers need before they start, and how they end."""
