"""The URL table. Loading it must not load torch."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from gallery.views.public import ApiPage

urlpatterns = [
    path("api/", include("sentiment.urls")),  # votes first: they come by the hundred a second
    path("api/", include("generation.urls")),
    path("api/", include("minting.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs", ApiPage.as_view(url_name="api-schema"), name="api-docs"),
    path("admin/", admin.site.urls),
    path("", include("gallery.urls")),
]
