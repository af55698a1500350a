package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.gateway.plugin.EngineCatalog;
import dev.vllmmlx.gateway.plugin.PluginException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** {@code vllm-mlx}: builds the command line from what this installation holds, and runs it. */
@Command(
    name = "vllm-mlx",
    description = "Serves any MLX checkpoint behind the OpenAI API.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    subcommands = {HelpCommand.class, AutoComplete.GenerateCompletion.class})
public final class Main {

  private Main() {}

  public static void main(String[] args) {
    System.exit(run(args, new PrintWriter(System.out, true), new PrintWriter(System.err, true)));
  }

  /**
   * Runs one command to its end.
   *
   * @return the exit code: 0, 1 for a failure, 2 for a command line that is wrong
   */
  static int run(String[] args, PrintWriter out, PrintWriter err) {
    Logs.configure(optionOf("--log-level", args).orElse("info"));
    EngineCatalog catalog;
    try {
      // Before the rest is parsed: plugins bring options of their own.
      catalog = EngineCatalog.find(optionOf("--plugins-dir", args).map(Path::of));
    } catch (PluginException e) {
      err.println("vllm-mlx: " + e.getMessage());
      return CommandLine.ExitCode.USAGE;
    }
    return commandLine(catalog).setOut(out).setErr(err).execute(args);
  }

  static CommandLine commandLine(EngineCatalog catalog) {
    var options = new EngineOptions(catalog);
    var root = new CommandLine(new Main());
    var serve = new CommandLine(new ServeCommand(catalog, options));
    options.addTo(serve.getCommandSpec());
    root.addSubcommand("serve", serve);
    root.addSubcommand("engines", new EnginesCommand(catalog));
    root.addSubcommand("bench", bench(catalog));
    root.addSubcommand("download", new DownloadCommand());
    root.addSubcommand("rehearse", new RehearseCommand(catalog, options));
    root.addSubcommand("template", new TemplateCommand());
    root.addSubcommand("grammar", new GrammarCommand());
    root.setExecutionExceptionHandler(new FailureMessage());
    root.setParameterExceptionHandler(
        (e, _) -> {
          // The whole usage would push the message off the screen.
          var command = e.getCommandLine();
          command.getErr().println("vllm-mlx: " + e.getMessage());
          command.getErr().println("See " + command.getCommandSpec().qualifiedName() + " --help.");
          return CommandLine.ExitCode.USAGE;
        });
    return root;
  }

  private static CommandLine bench(EngineCatalog catalog) {
    var options = new EngineOptions(catalog);
    var model = new CommandLine(new BenchModelCommand(catalog, options));
    options.addTo(model.getCommandSpec());
    return new CommandLine(new BenchCommand())
        .addSubcommand("model", model)
        .addSubcommand("serve", new BenchServeCommand());
  }

  /** The value of an option that has to be known before the command line can be built. */
  private static Optional<String> optionOf(String name, String[] args) {
    var list = List.of(args);
    for (var i = 0; i < list.size(); i++) {
      if (list.get(i).startsWith(name + "=")) {
        return Optional.of(list.get(i).substring(name.length() + 1));
      }
      if (list.get(i).equals(name) && i + 1 < list.size()) {
        return Optional.of(list.get(i + 1));
      }
    }
    return Optional.empty();
  }
}
