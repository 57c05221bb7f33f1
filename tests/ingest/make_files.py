"""Makes `files/` from `sources/`, which are written by hand.

    python -m tests.ingest.make_files

LibreOffice (`soffice`) writes all but one, and Chromium (`chromium`) a PDF. What is checked in came
from LibreOffice 7.4 and Chromium 156.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SOURCES, FILES = HERE / "sources", HERE / "files"
MADE = {
    "handbook.fodt": ("docx", "pdf", "html:HTML (StarWriter)"),
    "slides.fodp": ("pptx",),
    "sales.fods": ("xlsx", "csv:Text - txt - csv (StarCalc):44,34,76"),  # 76: UTF-8
}


def main():
    with tempfile.TemporaryDirectory() as folder:
        for source, kinds in MADE.items():
            for kind in kinds:
                command = [
                    "soffice",
                    f"-env:UserInstallation=file://{folder}/profile",
                    "--headless",
                ]
                command += ["--convert-to", kind, "--outdir", folder, str(SOURCES / source)]
                subprocess.run(command, check=True, timeout=120)
        for made in Path(folder).glob("*.*"):
            shutil.copy(made, FILES)
    chromium = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    chromium += ["--generate-pdf-document-outline", f"--print-to-pdf={FILES / 'recipes.pdf'}"]
    subprocess.run([*chromium, str(SOURCES / "recipes.html")], check=True, timeout=120)


if __name__ == "__main__":
    main()
