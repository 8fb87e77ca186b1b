# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Gateways, routes and their statuses, as a gateway's controller has them."""
