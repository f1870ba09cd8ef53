"""Proposes how a utility's own files become the contract's tables: `./kaw init-source`. Each choice says why; what is not sure is
a doubt that stops the landing until a person confirms it."""
