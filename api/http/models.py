"""What responses are made of: models that read what a service returns."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict

IsSet = Annotated[bool, BeforeValidator(lambda value: value is not None)]
"""Whether something is there at all, as an instant at which it ended."""


Length = Annotated[int, BeforeValidator(len)]
"""How many there are."""


class ResponseModel(BaseModel):
    """A response, or a part of one, that is made of an object's attributes."""

    model_config = ConfigDict(from_attributes=True)

    @classmethod
    def of(cls, source: object, **beside: Any) -> Self:
        """Make it of an object, and of values that the object does not have, by the names of its fields."""
        return cls.model_validate(_Beside(source, beside) if beside else source)


class _Beside:
    """An object with some attributes more, or others."""

    def __init__(self, source: object, values: dict[str, Any]) -> None:
        self._source = source
        self._values = values

    def __getattr__(self, name: str) -> Any:
        return self._values[name] if name in self._values else getattr(self._source, name)
