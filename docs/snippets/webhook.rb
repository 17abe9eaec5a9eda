# ruby webhook.rb send URL SECRET ID FILE                       posts an event
# ruby webhook.rb status URL SECRET ID                          asks where it stands
# ruby webhook.rb verify SECRET ID TIMESTAMP SIGNATURES FILE    checks a result that was posted to you
require "net/http"
require "openssl"

def sign(secret, id, timestamp, body)
  key = secret.delete_prefix("whsec_").unpack1("m")
  "v1," + [OpenSSL::HMAC.digest("SHA256", key, "#{id}.#{timestamp}.".b + body)].pack("m0")
end

def ask(url, secret, id, body = nil)
  now = Time.now.to_i.to_s
  uri = URI(url)
  headers = {
    "content-type" => "application/json",
    "webhook-id" => id,
    "webhook-timestamp" => now,
    "webhook-signature" => sign(secret, id, now, body || "".b)
  }
  answer = body ? Net::HTTP.post(uri, body, headers) : Net::HTTP.get_response(uri, headers)
  [answer.body, answer.code]
end

def verify(secret, id, timestamp, signatures, body)
  return false if (Time.now.to_i - timestamp.to_i).abs > 300

  wanted = sign(secret, id, timestamp, body)
  signatures.split(" ").any? do |given|
    given.bytesize == wanted.bytesize && OpenSSL.fixed_length_secure_compare(given, wanted)
  end
end

act, *words = ARGV
if act == "verify"
  is_good = verify(*words[0, 4], File.binread(words[4]))
  puts is_good ? "good" : "bad"
  exit is_good
end
puts ask(*words[0, 3], act == "send" ? File.binread(words[3]) : nil)
