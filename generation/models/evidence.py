"""Rows that are evidence: written once."""

from typing import Any, NoReturn, TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model)


class ImmutableRowError(Exception):
    """A row that is evidence was about to be changed."""


class ImmutableRow(models.Model):
    """A row that is added and then stays as it is."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise ImmutableRowError(f"{self._meta.verbose_name} {self.pk} is immutable")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ImmutableRowError(f"{self._meta.verbose_name} {self.pk} stays")


class AppendOnlyQuerySet(models.QuerySet[M]):
    """Rows that are added and read, never changed or taken away."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise ImmutableRowError(f"{self.model._meta.verbose_name} rows are append-only")

    def delete(self) -> NoReturn:
        raise ImmutableRowError(f"{self.model._meta.verbose_name} rows are append-only")
