<?php
// php webhook.php send URL SECRET ID FILE                       posts an event
// php webhook.php status URL SECRET ID                          asks where it stands
// php webhook.php verify SECRET ID TIMESTAMP SIGNATURES FILE    checks a result that was posted to you

function sign(string $secret, string $id, string $timestamp, string $body): string
{
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret));
    return 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
}

function ask(string $url, string $secret, string $id, ?string $body = null): array
{
    $now = (string) time();
    $headers = [
        'content-type: application/json',
        "webhook-id: $id",
        "webhook-timestamp: $now",
        'webhook-signature: ' . sign($secret, $id, $now, $body ?? ''),
    ];
    $options = ['method' => $body === null ? 'GET' : 'POST', 'header' => $headers, 'ignore_errors' => true];
    $options += $body === null ? [] : ['content' => $body];
    $text = file_get_contents($url, false, stream_context_create(['http' => $options]));
    return [$text, (int) explode(' ', $http_response_header[0])[1]];
}

function verify(string $secret, string $id, string $timestamp, string $signatures, string $body): bool
{
    if (abs(time() - (int) $timestamp) > 300) {
        return false;
    }
    $wanted = sign($secret, $id, $timestamp, $body);
    foreach (explode(' ', $signatures) as $given) {
        if (hash_equals($wanted, $given)) {
            return true;
        }
    }
    return false;
}

$words = array_slice($argv, 2);
if ($argv[1] === 'verify') {
    $is_good = verify($words[0], $words[1], $words[2], $words[3], file_get_contents($words[4]));
    echo $is_good ? "good\n" : "bad\n";
    exit($is_good ? 0 : 1);
}
[$text, $status] = ask($words[0], $words[1], $words[2], $argv[1] === 'send' ? file_get_contents($words[3]) : null);
echo "$text\n$status\n";
