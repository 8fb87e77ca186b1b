# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The serving plane of the lab: a gateway implementation and model servers that answer as the real ones do."""
