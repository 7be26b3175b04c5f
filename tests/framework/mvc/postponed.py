"""A controller whose annotations are text at run time."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel

from neuroglia.mvc import ControllerBase, get, post


class Note(BaseModel):
    id: str
    text: str


async def author() -> str:
    return "ada"


class NotesController(ControllerBase):
    @post(status_code=201, location="/{id}", scopes=["w"])
    async def write(self, note: Note, by: Annotated[str, Depends(author)]) -> Note:
        return Note(id=note.id, text=f"{note.text} by {by}")

    @get("/{id}", scopes=["r"])
    async def read(self, id: str) -> Note:
        return Note(id=id, text="")
