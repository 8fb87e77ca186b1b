# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The Dynamo platform: its operator, and the runtime of frontends and workers."""
