#!/bin/sh
# Stands in for Terraform: records each command with its environment, and does what files in $STAND_IN tell it.
# `stop-at-COMMAND`: it waits there for a signal. `fail-at-COMMAND`: it fails there, once. `crash`: where it would fail or end early,
# it crashes, once. `no-changes`: its plans change nothing. What plans hold is in `plan.json`.
here=${STAND_IN:?}
command=$1
if [ "$command" = version ]; then
    printf '{"terraform_version": "%s"}\n' "$(cat "$here/version")"
    exit 0
fi
end() {
    if [ -e "$here/crash" ]; then
        rm "$here/crash"
        kill -ABRT "$$"
    fi
    exit 1
}
echo "$*" >> "$here/calls"
env > "$here/environment-$command"
pwd > "$here/directory"
if [ -e "$here/stop-at-$command" ]; then
    rm "$here/stop-at-$command"
    trap 'kill "$waiting"; echo "interrupted $command" >> "$here/calls"; end' INT TERM
    sleep 600 > /dev/null 2>&1 &
    waiting=$!
    echo "$$" > "$here/.at"
    mv "$here/.at" "$here/stopped-at-$command"
    wait "$waiting"
fi
if [ -e "$here/fail-at-$command" ]; then
    rm "$here/fail-at-$command"
    echo "Error: the stand-in was told to fail" >&2
    end
fi
case $command in
    init) mkdir -p .terraform ;;
    plan)
        for argument in "$@"; do
            case $argument in -out=*) echo plan > "${argument#-out=}" ;; esac
        done
        echo "Plan: 3 to add, 0 to change, 0 to destroy."
        [ -e "$here/no-changes" ] || exit 2
        ;;
    apply) echo state > terraform.tfstate ;;
    show) if [ -e "$here/plan.json" ]; then cat "$here/plan.json"; else echo '{}'; fi ;;
    output) cat "$here/outputs.json" ;;
esac
