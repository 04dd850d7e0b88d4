# Sourced: `venv NAME PACKAGE...` makes a virtual environment under .venv-NAME with the packages, once, and sets $python.
venv() {
    local folder=".venv-$1"
    shift
    if [ ! -x "$folder/bin/python" ]; then
        python3 -m venv "$folder" || {
            echo "python3 cannot make virtual environments; on Debian: apt-get install python3-venv" >&2
            return 1
        }
    fi
    # Quiet when everything is there already.
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
    python="$folder/bin/python"
}
