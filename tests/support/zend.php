<?php
// A company at SimplyBook.me, served by PHP as Zend's JSON-RPC server would (its habits: docs/sandbox.md).
// Run by `php -S HOST:PORT zend.php` with the file of its bookings in BOOKINGS. One request at a time.

ini_set('display_errors', '0');

const COMPANY = 'zend', KEY = 'zend-api-key', SECRET = 'zend-secret-key';
const STANDARD = [-32768, -32600, -32601, -32602, -32603];

final class Refused extends Exception {}

final class Login
{
    public function getToken($companyLogin, $apiKey)
    {
        if ($companyLogin !== COMPANY) throw new Refused('Company does not exist', -33001);
        if ($apiKey !== KEY) throw new Refused('Wrong API key', -33002);
        return md5(KEY);
    }
}

final class Company
{
    private array $bookings;

    public function __construct()
    {
        if (($_SERVER['HTTP_X_COMPANY_LOGIN'] ?? '') !== COMPANY) throw new Refused('Company does not exists', -32600);
        if (($_SERVER['HTTP_X_TOKEN'] ?? '') !== md5(KEY)) throw new Refused('Access denied', -32600);
        $this->bookings = json_decode((string) @file_get_contents(getenv('BOOKINGS')), true) ?: [];
    }

    public function getTimeframe() { return '15'; }

    public function getCompanyParam($key)
    {
        if ($key !== 'require_fields') throw new Refused('Invalid params', -32602);
        return 'email';
    }

    public function getAdditionalFields($eventId) { return []; }

    public function isPluginActivated($pluginName) { return false; }

    public function isPaymentRequired($eventId = null) { return false; }

    public function getEventList($isVisibleOnly = false, $asArray = false)
    {
        $row = ['id' => '7', 'name' => "Часовая", 'duration' => '15', 'price' => '25.0000', 'is_public' => '1'];
        return $asArray ? [$row] : ['7' => $row];
    }

    public function getUnitList($isVisibleOnly = false, $asArray = false)
    {
        $row = ['id' => '3', 'name' => 'Zoë', 'qty' => '1'];
        return $asArray ? [$row] : ['3' => $row];
    }

    public function getStartTimeMatrix($from, $to, $eventId, $unitId = null, $count = null)
    {
        $days = [];
        for ($day = strtotime("$from UTC"); $day <= strtotime("$to UTC"); $day += 86400) {
            $free = [];
            for ($at = $day; $at < $day + 86400; $at += 900) {
                if (!$this->taken(gmdate('Y-m-d H:i:s', $at))) $free[] = gmdate('H:i:s', $at);
            }
            $days[gmdate('Y-m-d', $day)] = $free;
        }
        return $days;
    }

    public function book($eventId, $unitId, $date, $time, $clientData, $additional = null, $count = null,
        $batchId = null, $recurringData = null)
    {
        if ((string) $eventId !== '7') throw new Refused('Selected event id is not available', -32051);
        if ((string) $unitId !== '3') throw new Refused('Selected unit id is not available', -32052);
        if (($clientData['name'] ?? '') === 'Nobody') throw new Refused('Client with given id not found', -3264);
        if ($this->taken("$date $time")) throw new Refused('Selected time start is not available', -32054);
        $id = (string) (100 + count($this->bookings));
        $this->bookings[$id] = [
            'id' => $id, 'event_id' => '7', 'unit_id' => '3', 'client_id' => '1', 'start_date_time' => "$date $time",
            'end_date_time' => gmdate('Y-m-d H:i:s', strtotime("$date $time UTC") + 900), 'is_confirmed' => '1',
            'code' => substr(md5($id), 0, 8), 'hash' => md5("hash of $id"),
        ];
        $this->keep();
        return ['require_confirm' => false, 'bookings' => [$this->bookings[$id]]];
    }

    public function getBookingDetails($id, $sign)
    {
        $booking = $this->signed($id, $sign);
        return $booking + ['client_name' => 'Zoë', 'booking_code' => $booking['code']];
    }

    public function getBooking($id, $sign) { return $this->getBookingDetails($id, $sign); }

    public function confirmBooking($id, $sign) { return (bool) $this->signed($id, $sign); }

    public function cancelBooking($id, $sign)
    {
        $this->bookings[$this->signed($id, $sign)['id']]['cancelled'] = true;
        $this->keep();
        return true;
    }

    private function taken(string $start): bool
    {
        foreach ($this->bookings as $one) {
            if ($one['start_date_time'] === $start && empty($one['cancelled'])) return true;
        }
        return false;
    }

    private function signed($id, $sign): array
    {
        $booking = $this->bookings[(string) $id] ?? null;
        if ($booking === null || !empty($booking['cancelled'])) {
            throw new Refused("Appointemnt couldn't be found", -32080);
        }
        if ($sign !== md5($booking['id'] . $booking['hash'] . SECRET)) throw new Refused('Signature error', -32085);
        return $booking;
    }

    private function keep(): void
    {
        file_put_contents(getenv('BOOKINGS'), json_encode($this->bookings));
    }
}

/** In the order of the method's parameters; what is missing at the end is null or its default. */
function ordered(ReflectionMethod $method, array $given): array
{
    $byName = is_string(key($given));
    $values = [];
    foreach ($method->getParameters() as $place => $parameter) {
        $key = $byName ? $parameter->getName() : $place;
        if ($byName && !array_key_exists($key, $given) && !$parameter->isOptional()) {
            throw new Error("$key is missing");  // which nobody catches: HTTP 500
        }
        $values[] = $given[$key] ?? ($parameter->isOptional() ? $parameter->getDefaultValue() : null);
    }
    return $values;
}

function respond(array $members, array $request): void
{
    header('Content-Type: application/json');
    $members['id'] = array_key_exists('id', $request) ? (string) $request['id'] : null;
    if (($request['jsonrpc'] ?? '') == '2.0') $members['jsonrpc'] = '2.0';
    echo json_encode($members);  // false where a text is no UTF-8: nothing is written
}

function refuse(array $request, int $code, string $message, ?object $data): void
{
    $known = in_array($code, STANDARD, true) || ($code >= -32099 && $code <= -32000);
    respond(['error' => ['code' => $known ? $code : -32000, 'message' => $message, 'data' => $data]], $request);
}

$class = rtrim(strtok($_SERVER['REQUEST_URI'], '?'), '/') === '/login' ? Login::class : Company::class;
$names = array_filter(get_class_methods($class), static fn ($name) => $name !== '__construct');
if ($_SERVER['REQUEST_METHOD'] === 'GET') {
    $methods = array_fill_keys($names, ['transport' => 'POST', 'envelope' => 'JSON-RPC-2.0', 'parameters' => []]);
    header('Content-Type: application/json');
    echo json_encode(['transport' => 'POST', 'envelope' => 'JSON-RPC-2.0', 'methods' => $methods]);
    return;
}
$request = json_decode(file_get_contents('php://input'), true, 512, JSON_THROW_ON_ERROR);
$name = $request['method'] ?? null;
if (!is_string($name)) {
    refuse($request, -32600, 'Invalid Request', null);
} elseif (!in_array($name, $names, true)) {
    refuse($request, -32601, 'Method not found', null);
} else {
    try {
        $result = (new $class())->$name(...ordered(new ReflectionMethod($class, $name), $request['params'] ?? []));
        respond(['result' => $result], $request);
    } catch (Exception $refused) {
        refuse($request, $refused->getCode(), $refused->getMessage(), $refused);
    }
}
