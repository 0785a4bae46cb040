#!/bin/sh
# Calls the registered function test.add with curl alone. The token is in the file that the node names when it starts.
#
#     sh examples/03-registered-functions/curl.sh
set -eu
url=${KITCHENSINK_URL:-http://localhost:6323/}
token=${KITCHENSINK_TOKEN:-$(cat "${XDG_STATE_HOME:-$HOME/.local/state}/kitchensink/token")}

curl --silent --show-error --request POST "${url}rpc/test/add" \
  --header "authorization: Bearer $token" \
  --header "content-type: application/json" \
  --data '[1, 2]'
echo
