# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The classes of the two classifiers in the order of their outputs, and the words by which the lab tells them apart.

A prompt that holds a class's own name is of that class; else it is of the class most of whose words it holds, the first
of equals; a prompt without any of the words is of the classifier's last resort. Letter case makes no difference.
"""

from __future__ import annotations

import re

# The weights of the published classifier make No-Label-Reason 0, so that it is never the highest: it has no words.
NEVER = "No-Label-Reason"
TASKS = {
    "Brainstorming": ("brainstorm", "ideas", "come up with", "suggest"),
    "Chatbot": ("hello", "hi there", "how are you", "chat", "assistant"),
    "Classification": ("classify", "categorize", "which category", "sentiment", "label"),
    "Closed QA": ("according to", "based on the", "passage", "given the text"),
    "Code Generation": ("code", "function", "python", "program", "script"),
    "Extraction": ("extract", "list all", "find all", "names in"),
    "Open QA": ("what is", "who is", "explain", "why", "how does"),
    "Other": ("translate", "calculate"),
    "Rewrite": ("rewrite", "rephrase", "paraphrase", "correct the"),
    "Summarization": ("summarize", "summary", "shorten", "tl;dr"),
    "Text Generation": ("write a", "compose", "poem", "story", "essay", "email"),
    "Unknown": ("qwertz", "asdf"),
}
COMPLEXITY = {
    "Creativity": ("poem", "story", "imagine", "creative", "brainstorm", "ideas"),
    "Reasoning": ("why", "step by step", "prove", "solve", "deduce", "what is"),
    "Contextual-Knowledge": ("according to", "based on the", "passage", "given the text"),
    "Few-Shot": ("example:", "examples", "input:", "output:"),
    "Domain-Knowledge": ("quantum", "medical", "legal", "physics", "explain", "python"),
    NEVER: (),
    "Constraint": ("exactly", "at most", "no more than", "must not", "words or fewer", "in json"),
}
# Output -> (classes with their words, the class of a prompt without any).
CLASSIFIERS = {"task_router": (TASKS, "Unknown"), "complexity_router": (COMPLEXITY, "Creativity")}


def classify(classifier: str, prompt: str) -> str:
    """The class that a classifier takes a prompt for."""
    classes, otherwise = CLASSIFIERS[classifier]
    text = " ".join(prompt.lower().split())
    named = [name for name in classes if name != NEVER and _holds(text, name.lower())]
    if named:
        return max(named, key=len)
    score = {name: sum(_holds(text, word) for word in words) for name, words in classes.items()}
    best = max(score, key=lambda name: score[name])
    return best if score[best] else otherwise


def _holds(text: str, word: str) -> bool:
    """True where a word, or a beginning of one, stands in a text."""
    return re.search(rf"(?<!\w){re.escape(word)}", text) is not None


def one_hot(classifier: str, prompt: str) -> list[float]:
    """The output of a classifier: 1 at the place of the prompt's class, 0 at all others."""
    chosen = classify(classifier, prompt)
    return [float(name == chosen) for name in CLASSIFIERS[classifier][0]]
