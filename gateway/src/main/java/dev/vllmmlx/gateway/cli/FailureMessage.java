package dev.vllmmlx.gateway.cli;

import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/** Says in one line why a command failed; the stack trace is for {@code --log-level debug}. */
final class FailureMessage implements IExecutionExceptionHandler {

  @Override
  public int handleExecutionException(Exception e, CommandLine command, ParseResult parsed) {
    var message = e.getMessage() == null ? e.toString() : e.getMessage();
    command.getErr().println("vllm-mlx: " + message);
    LoggerFactory.getLogger(FailureMessage.class).debug("{} failed", command.getCommandName(), e);
    return CommandLine.ExitCode.SOFTWARE;
  }
}
