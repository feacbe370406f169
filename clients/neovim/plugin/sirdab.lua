-- Loaded at start-up: everything that costs time is required when it is first needed.
if vim.g.loaded_sirdab == 1 or vim.fn.has("nvim-0.10") == 0 then
  return
end
vim.g.loaded_sirdab = 1

local group = vim.api.nvim_create_augroup("sirdab", { clear = true })

vim.api.nvim_create_autocmd("LspAttach", {
  group = group,
  desc = "Sirdab: ghost text and keys",
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == "sirdab" then
      require("sirdab.lsp").on_attach(client, event.buf)
    end
  end,
})

vim.api.nvim_create_autocmd("LspDetach", {
  group = group,
  desc = "Sirdab: hide ghost text",
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == "sirdab" then
      require("sirdab.lsp").on_detach(event.data.client_id, event.buf)
    end
  end,
})

vim.api.nvim_create_user_command("Sirdab", function(command)
  local range = command.range > 0 and { command.line1, command.line2 } or nil
  require("sirdab.command").run(command.fargs, range)
end, {
  nargs = "*",
  range = true,
  desc = "Sirdab: local code completion",
  complete = function(lead, line, cursor)
    return require("sirdab.command").complete(lead, line:sub(1, cursor))
  end,
})

for _, action in ipairs({ "accept", "accept-word", "accept-line", "next", "dismiss" }) do
  vim.keymap.set("i", ("<Plug>(sirdab-%s)"):format(action), function()
    require("sirdab.keys").run((action:gsub("-", "_")))
  end, { desc = "Sirdab: " .. action })
end
