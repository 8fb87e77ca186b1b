# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What is read of the cluster: the API, a snapshot of its objects, conditions."""
