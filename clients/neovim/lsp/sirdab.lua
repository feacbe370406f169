-- For `vim.lsp.enable("sirdab")`, Neovim 0.11 and newer.
---@type vim.lsp.Config
return require("sirdab.lsp").client_config()
