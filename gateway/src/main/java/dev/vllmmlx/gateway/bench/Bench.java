package dev.vllmmlx.gateway.bench;

import dev.vllmmlx.spi.Engine;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/** Runs a measurement and writes down what came of it: what the command line calls. */
public final class Bench {

  private Bench() {}

  /**
   * @param promptTokens lengths of the prompts to measure prefill with, each at least 1
   * @param decodeTokens at least 2
   * @param repeats of which the median counts
   */
  public record ModelPlan(List<Integer> promptTokens, int decodeTokens, int repeats, long seed) {}

  /**
   * Measures a model through its engine.
   *
   * @param json a file, or {@code -} for {@code out} in place of the table
   * @throws dev.vllmmlx.spi.EngineException what the engine says of a request
   */
  public static void model(
      Engine engine, String name, ModelPlan plan, Optional<String> json, PrintWriter out)
      throws IOException, InterruptedException {
    var figures =
        new ModelBench(engine, plan.repeats(), plan.seed())
            .measure(name, plan.promptTokens(), plan.decodeTokens());
    write(ModelReport.table(figures), ModelReport.json(figures), json, out);
  }

  /**
   * Puts a load on a server.
   *
   * @param json a file, or {@code -} for {@code out} in place of the table
   * @param html a file
   * @param err shows how far it is, where a person watches
   * @return whether every request was answered
   * @throws IOException if the server does not answer at all, or a file cannot be written
   */
  public static boolean load(
      LoadPlan plan, Optional<String> json, Optional<Path> html, PrintWriter out, PrintWriter err)
      throws IOException, InterruptedException {
    var watched = System.console() != null && System.console().isTerminal();
    var figures =
        new LoadRun(
                plan,
                (concurrency, done, of) -> {
                  if (watched) {
                    err.print(bar(concurrency, done, of));
                    err.flush();
                  }
                })
            .run();
    write(LoadReport.table(figures), LoadReport.json(figures), json, out);
    if (html.isPresent()) {
      Files.writeString(html.get(), LoadPage.of(figures));
    }
    return !figures.anyErrors();
  }

  private static String bar(int concurrency, int done, int of) {
    var filled = 30 * done / of;
    return "\r%3d streams [%s%s] %d of %d%s"
        .formatted(
            concurrency,
            "#".repeat(filled),
            ".".repeat(30 - filled),
            done,
            of,
            done == of ? "\n" : "");
  }

  private static void write(
      String table, ObjectNode figures, Optional<String> json, PrintWriter out) throws IOException {
    if (json.filter("-"::equals).isPresent()) {
      out.println(figures.toPrettyString());
      return;
    }
    out.print(table);
    out.flush();
    if (json.isPresent()) {
      Files.writeString(Path.of(json.get()), figures.toPrettyString() + "\n");
    }
  }
}
