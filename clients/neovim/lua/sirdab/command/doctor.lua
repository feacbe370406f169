--- `:Sirdab doctor`: runs the program's own check in a window.
local common = require("sirdab.command.common")
local process = require("sirdab.process")

--- Longest time that the check may take, in milliseconds; it may load the model.
local timeout_ms = 120000

return function()
  local cmd = require("sirdab.lsp").command()
  if type(cmd) ~= "table" then
    return common.warn("the server is started by a function; run `sirdab doctor` in a terminal.")
  end
  if vim.fn.executable(cmd[1]) == 0 then
    return common.warn(("the program %s was not found; %s."):format(cmd[1], process.remedy))
  end
  local argv = process.with_arguments(cmd, "doctor")
  local title = " Sirdab: doctor (q closes)"
  local bufnr = common.show_lines(title, { table.concat(argv, " ") .. " …" }, "sirdab-doctor")
  local options = { text = true, timeout = timeout_ms, env = { NO_COLOR = "1" } }
  local ok, problem = pcall(vim.system, argv, options, function(result)
    vim.schedule(function()
      local said = vim.trim((result.stdout or "") .. (result.stderr or ""))
      if said == "" then
        said = ("It ended with the exit code %d and said nothing."):format(result.code)
      end
      common.set_lines(bufnr, vim.split(said, "\n", { plain = true }))
    end)
  end)
  if not ok then
    common.set_lines(bufnr, vim.split(tostring(problem), "\n", { plain = true }))
  end
end
