# The channel on which pytest says what it does. Part of the program that judges a diff.
# Defines: v_attach v_events.

# v_attach KEY: gives the plugin of pytest, input 3, its channel and its key.
v_attach() {
    mkdir "$v_own/plugin" && cp "$job/in/3" "$v_own/plugin/legwork_pytest.py" || return
    exec 8>>"$v_own/events"
    PYTHONPATH=$v_own/plugin${PYTHONPATH:+:$PYTHONPATH}
    PYTEST_PLUGINS=legwork_pytest${PYTEST_PLUGINS:+,$PYTEST_PLUGINS}
    LEGWORK_TEST_EVENTS=8:$1
    export PYTHONPATH PYTEST_PLUGINS LEGWORK_TEST_EVENTS
}

# v_events FOLDER: prints what came over the channel of a run.
v_events() { head -c 8388608 "$1/events" 2>/dev/null | v_text; }
