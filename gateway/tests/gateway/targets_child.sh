# An MCP server on standard streams for tests of what passes through them. SPEAKS is `modern` or `legacy`. Its tools do
# what their names say; each line that it reads is kept, and `seen` shows them. STARTS is a file that gets a line for each start.
[ -n "$STARTS" ] && echo "$$" >> "$STARTS"
[ "$CRASH" = yes ] && { echo "no orders today" >&2; exit 3; }
seen='null'
result() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"; }
while IFS= read -r line; do
    seen="$seen,$line"
    id=${line#*'"id":'}
    id=${id%%,*}
    case "$line" in
        *'"method":"server/discover"'*)
            if [ "$SPEAKS" = modern ]; then
                result '{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}'
            else
                printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"Method not found"}}\n' "$id"
            fi ;;
        *'"method":"initialize"'*)
            result '{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"child","version":"1"}}' ;;
        *'"method":"tools/list"'*)
            result "{\"tools\":$TOOLS}" ;;
        *'"name":"echo"'*)
            params=${line#*'"params":'}
            result "{\"content\":[],\"asked\":${params%?}}" ;;
        *'"name":"progress"'*)
            token=${line#*'"progressToken":'}
            token=${token%%[,\}]*}
            for step in 1 2 3; do
                printf '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%s,"v":1e400}}\n' "$token" "$step"
            done
            result '{"content":[]}' ;;
        *'"name":"flood_of_progress"'*)
            token=${line#*'"progressToken":'}
            token=${token%%[,\}]*}
            step=0
            while [ "$step" -lt 3000 ]; do
                step=$((step + 1))
                printf '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%s}}\n' "$token" "$step"
            done
            result '{"content":[]}' ;;
        *'"name":"file"'*)
            printf '{"jsonrpc":"2.0","id":%s,"result":' "$id"; cat "$RESULT"; printf '}\n' ;;
        *'"name":"hang"'*) : ;;
        *'"name":"exit"'*) exit 0 ;;
        *'"name":"leave_a_descendant"'*) sleep 1000 & exit 0 ;;
        *'"name":"garbage"'*)
            printf 'this is no JSON\n\n[1,2]\n{"jsonrpc":"2.0","id":"nobody","result":{}}\n{"jsonrpc":"1.0"}\n'
            result '{"content":[]}' ;;
        *'"name":"oversized"'*)
            head -c 300000 /dev/zero | tr '\0' 'x'; printf '\n'
            result '{"content":[]}' ;;
        *'"name":"stderr_flood"'*)
            head -c 3000000 /dev/zero | tr '\0' 'e' >&2
            result '{"content":[]}' ;;
        *'"name":"ask_back"'*)
            printf '{"jsonrpc":"2.0","id":"mine","method":"ping"}\n{"jsonrpc":"2.0","id":8,"method":"roots/list"}\n'
            result '{"content":[]}' ;;
        *'"name":"environment"'*)
            result "{\"content\":[],\"environment\":[$(env | sed 's/=.*//; s/.*/"&"/' | tr '\n' ',')null]}" ;;
        *'"name":"more_tools"'*)
            TOOLS='[{"name":"one"},{"name":"new"}]'
            printf '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n'
            result '{"content":[]}' ;;
        *'"name":"seen"'*)
            result "{\"content\":[],\"seen\":[$seen]}" ;;
    esac
done
