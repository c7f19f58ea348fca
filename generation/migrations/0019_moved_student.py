from django.db import migrations, models

# The only student that there was when pictures were drawn without noting it.
SHIPPED = "2da29d82991ac28309a13ef9308fa5fbb895f54db61f164389861cb69bfbca36"


class Migration(migrations.Migration):
    dependencies = [("generation", "0018_moved_picture")]

    operations = [
        migrations.AddField(
            model_name="movedpicture",
            name="student_digest",
            field=models.CharField(default=SHIPPED, max_length=64),
            preserve_default=False,
        ),
    ]
