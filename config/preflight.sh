# One clear line for each thing a fresh machine may lack. $1 is the Python to use.
"$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  { echo "Morphora needs Python 3.11 or newer: install it, or say make PYTHON=/path/to/python3." >&2; exit 1; }
"$1" -c 'import venv, ensurepip' 2>/dev/null ||
  { echo "This Python has no venv module: install your system's python3-venv package." >&2; exit 1; }
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' 2>/dev/null ||
  { echo "Morphora needs Node 20 or newer: install it from your system's packages or nodejs.org." >&2; exit 1; }
free_mb=$(df -Pk . | awk 'NR==2 {print int($4 / 1024)}')
[ "$free_mb" -ge 2500 ] ||
  { echo "The disk is full: $free_mb MB free here, setting up needs 2500 MB." >&2; exit 1; }
