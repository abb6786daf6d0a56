-- What the servers of bench_serve.py do.
lab.title = "Echo"
lab.port  = 65432

function lab.reply(message)
  return message
end
