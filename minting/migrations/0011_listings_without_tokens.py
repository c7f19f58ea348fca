import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    """Listings know their contract and the token's id by themselves."""
    token = apps.get_model("minting", "Token").objects.filter(pk=OuterRef("token_id"))
    apps.get_model("minting", "Listing").objects.update(
        contract_id=Subquery(token.values("contract_id")[:1]),
        token_number=Subquery(token.values("token_id")[:1]),
    )


class Migration(migrations.Migration):

    dependencies = [
        ('minting', '0010_governance'),
    ]

    operations = [
        migrations.AddField(
            model_name='listing',
            name='contract',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='listings', to='minting.contract'),
        ),
        migrations.AddField(
            model_name='listing',
            name='token_number',
            field=models.PositiveBigIntegerField(help_text="the token's id on chain", null=True),
        ),
        migrations.AlterField(
            model_name='listing',
            name='token',
            field=models.ForeignKey(help_text='none while the block that minted it is gone', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='listings', to='minting.token'),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name='listing',
            name='contract',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='listings', to='minting.contract'),
        ),
        migrations.AlterField(
            model_name='listing',
            name='token_number',
            field=models.PositiveBigIntegerField(help_text="the token's id on chain"),
        ),
        migrations.AddIndex(
            model_name='listing',
            index=models.Index(fields=['contract', 'token_number'], name='listing_token_number'),
        ),
    ]
