"""Rows for a lead to look at. What happens to them happens in the console."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from generation.models import Artwork, Checkpoint, Collection, Dataset, Drop, Job, ParameterSet


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ["key", "kind", "state", "done", "total", "attempts", "updated_at"]
    list_filter = ["kind", "state"]
    ordering = ["-pk"]


@admin.register(Artwork)
class ArtworkAdmin(ReadOnlyAdmin):
    list_display = ["pk", "drop", "index", "status", "confidence", "rarity_rank"]
    list_filter = ["status"]
    ordering = ["-pk"]


for model in (Dataset, Checkpoint, Collection, ParameterSet, Drop):
    admin.site.register(model, ReadOnlyAdmin)
