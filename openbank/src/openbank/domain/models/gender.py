"""What a person may state of their gender."""

from enum import StrEnum


class Gender(StrEnum):
    """As stated by the person, who may also leave it out."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
