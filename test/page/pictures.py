"""The pictures of docs/images, as small as a picture of a page can be: few colours, where the tool for it is installed."""

import shutil
import subprocess

from harness import SOURCE

IMAGES = SOURCE / "docs" / "images"


def write_pictures(files):
    IMAGES.mkdir(exist_ok=True)
    for file in files:
        target = IMAGES / file.name.replace("_", "-")
        if shutil.which("pngquant"):
            subprocess.run(["pngquant", "--nofs", "--force", "--speed", "1", "--output", target, "64", file], check=True)
        else:
            shutil.copy(file, target)
