# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The HTTP servers behind pods: model servers and endpoint pickers."""
