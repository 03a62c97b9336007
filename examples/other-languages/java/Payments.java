import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.concurrent.Executors;

/** A service without the SDK: it passes `baggage` on, and calls through the proxy that HTTP_PROXY names. */
public class Payments {
  // What belongs to the request, and goes with every call that is made for it.
  static final List<String> CONTEXT_HEADERS = List.of("baggage", "traceparent", "tracestate");

  static final URI PROXY = URI.create(System.getenv("HTTP_PROXY"));

  // Java does not read HTTP_PROXY by itself.
  static final HttpClient CLIENT = HttpClient.newBuilder()
      .proxy(ProxySelector.of(new InetSocketAddress(PROXY.getHost(), PROXY.getPort())))
      .version(HttpClient.Version.HTTP_1_1)
      .build();

  public static void main(String[] arguments) throws IOException {
    var port = Integer.parseInt(System.getenv("PORT"));
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", Payments::quote);
    server.start();
  }

  static void quote(HttpExchange exchange) throws IOException {
    var call = HttpRequest.newBuilder(URI.create("http://orders/callback"));
    for (var name : CONTEXT_HEADERS) {
      for (var value : exchange.getRequestHeaders().getOrDefault(name, List.of())) call.header(name, value);
    }
    try {
      var body = CLIENT.send(call.build(), BodyHandlers.ofByteArray()).body();
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      exchange.sendResponseHeaders(503, -1);
    } finally {
      exchange.close();
    }
  }
}
