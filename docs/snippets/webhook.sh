#!/usr/bin/env bash
# webhook.sh send URL SECRET ID FILE                       posts an event
# webhook.sh status URL SECRET ID                          asks where it stands
# webhook.sh verify SECRET ID TIMESTAMP SIGNATURES FILE    checks a result that was posted to you
set -euo pipefail

sign() { # SECRET ID TIMESTAMP FILE
    local key
    key=$(printf %s "${1#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
    { printf '%s.%s.' "$2" "$3"; cat "$4"; } |
        openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64 -w0
}

ask() { # URL SECRET ID FILE, and what more curl is to be told
    local url=$1 id=$3 at signature
    at=$(date +%s)
    signature=$(sign "$2" "$id" "$at" "$4")
    curl -sS -w '\n%{http_code}\n' -H "webhook-id: $id" -H "webhook-timestamp: $at" \
        -H "webhook-signature: v1,$signature" "${@:5}" "$url"
}

case $1 in
send) ask "$2" "$3" "$4" "$5" -H 'content-type: application/json' --data-binary "@$5" ;;
status) ask "$2" "$3" "$4" /dev/null ;;
verify)
    age=$(($(date +%s) - $4))
    ((age < 300 && age > -300)) || { echo 'too old'; exit 1; }
    wanted=$(sign "$2" "$3" "$4" "$6")
    for given in $5; do
        [[ $given == "v1,$wanted" ]] && { echo good; exit 0; }
    done
    echo bad
    exit 1
    ;;
esac
