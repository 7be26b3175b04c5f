"""Mapping: one function for each pair of types, found by its signature."""

from neuroglia.mapping.mapper import Mapper, by_name, mapping

__all__ = ["Mapper", "by_name", "mapping"]
