// Webhook send URL SECRET ID FILE                       posts an event
// Webhook status URL SECRET ID                          asks where it stands
// Webhook verify SECRET ID TIMESTAMP SIGNATURES FILE    checks a result that was posted to you
using System;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

public static class Webhook
{
    public static string Sign(string secret, string id, string timestamp, byte[] body)
    {
        var key = Convert.FromBase64String(secret.StartsWith("whsec_") ? secret.Substring(6) : secret);
        var signed = Encoding.UTF8.GetBytes(id + "." + timestamp + ".").Concat(body).ToArray();
        using (var hmac = new HMACSHA256(key))
            return "v1," + Convert.ToBase64String(hmac.ComputeHash(signed));
    }

    public static string Ask(string url, string secret, string id, byte[] body)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString();
        var request = new HttpRequestMessage(body == null ? HttpMethod.Get : HttpMethod.Post, url);
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", now);
        request.Headers.Add("webhook-signature", Sign(secret, id, now, body ?? new byte[0]));
        if (body != null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        using (var client = new HttpClient())
        {
            var answer = client.SendAsync(request).Result;
            return answer.Content.ReadAsStringAsync().Result + "\n" + (int)answer.StatusCode;
        }
    }

    public static bool Verify(string secret, string id, string timestamp, string signatures, byte[] body)
    {
        if (Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - long.Parse(timestamp)) > 300)
            return false;
        var wanted = Sign(secret, id, timestamp, body);
        return signatures.Split(' ').Any(given => IsSame(given, wanted));
    }

    // In a time that does not tell how much of it is right; .NET has it as CryptographicOperations.FixedTimeEquals.
    static bool IsSame(string given, string wanted)
    {
        var different = given.Length ^ wanted.Length;
        for (var i = 0; i < given.Length && i < wanted.Length; i++)
            different |= given[i] ^ wanted[i];
        return different == 0;
    }

    public static int Main(string[] words)
    {
        if (words[0] == "verify")
        {
            var isGood = Verify(words[1], words[2], words[3], words[4], File.ReadAllBytes(words[5]));
            Console.WriteLine(isGood ? "good" : "bad");
            return isGood ? 0 : 1;
        }
        Console.WriteLine(Ask(words[1], words[2], words[3], words[0] == "send" ? File.ReadAllBytes(words[4]) : null));
        return 0;
    }
}
