"""Mapping: one function for each pair of types, found by its signature."""

from neuroglia.mapping.mapper import Mapper as Mapper, by_name as by_name, mapping as mapping
