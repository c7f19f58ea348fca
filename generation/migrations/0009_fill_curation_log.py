from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    """Earlier decisions are about a work; its drop and picture stand in its row."""
    artworks = apps.get_model('generation', 'Artwork').objects.filter(pk=OuterRef('artwork'))
    apps.get_model('generation', 'CurationDecision').objects.filter(drop=None).update(
        drop=Subquery(artworks.values('drop')[:1]),
        image_digest=Subquery(artworks.values('image_digest')[:1]),
    )


class Migration(migrations.Migration):
    # Apart from the next one: PostgreSQL changes no table with writes of the same transaction.

    dependencies = [('generation', '0008_curation_log')]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
